// How a frontend developer makes types from schema.graphql; the ready-made operations stand for the developer's own.
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['../../playground/operations/*.graphql'],
  ignoreNoDocuments: false,
  generates: {
    'generated/': {
      preset: 'client',
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        // What stands on the wire for the schema's own scalars.
        scalars: {
          Date: 'string',
          Decimal: 'string',
          NationalId: 'string',
          ParcelNumber: 'string',
          BuildingNumber: 'string',
          PermitNumber: 'string',
          AddressKey: 'string',
        },
      },
    },
  },
};

export default config;
