// A client written against the generated types; it only has to compile.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { BuildingAtRiskDocument, GhostPlatesDocument } from './generated/graphql';

declare function ask<Answer, Variables>(document: TypedDocumentNode<Answer, Variables>, variables: Variables): Promise<Answer>;

/** Every dataset leaf may be null, since a denied field is; the types make the client think of it. */
export async function ownersOf(permitNo: string): Promise<string[]> {
  const { usePermit } = await ask(BuildingAtRiskDocument, { no: permitNo });
  const ownerships = usePermit?.parcels?.flatMap((parcel) => parcel.ownerships ?? []) ?? [];
  return ownerships.map(({ share, owner }) => `${owner?.name ?? '（拒絕或查無）'} ${share ?? ''}`);
}

export async function ghostPlates(district: string): Promise<(string | null | undefined)[]> {
  const { households } = await ask(GhostPlatesDocument, { district });
  return households?.nodes?.map((household) => household.address?.text) ?? [];
}

export async function mustNotCompile(): Promise<void> {
  // @ts-expect-error: the variable is a permit number, and it is required
  await ask(BuildingAtRiskDocument, { number: 1 });
}
