// Queries and steps of the procedure that the page puts into the editor as what comes next.
export const SHOW_APPLICATION = `query Application($number: String!) {
  application(number: $number) {
    number
    revision
    status
    title
    legalBasis
    from
    until
    draftedBy
    submittedBy
    annexes {
      custodian
      status
      comment
      items {
        coordinate
        uses
        reason
      }
    }
  }
}
`;

export const HAND_IN = `mutation HandIn($number: String!, $revision: Int!) {
  submitApplication(number: $number, revision: $revision) {
    number
    revision
    status
    annexes {
      custodian
      status
    }
  }
}
`;

const SHOW_FORM = `query MasterForm($number: String!) {
  masterForm(number: $number) {
    number
    title
    status
    version
    from
    until
    application
    items {
      coordinate
      uses
      level
    }
  }
}
`;

const SHOW_INSPECTION = `query Inspection($number: String!) {
  inspection(number: $number) {
    number
    status
    from
    until
    population
    entries {
      record
      account
      at
      flags
      finding {
        verdict
        comment
      }
      recorded {
        purpose
        caseNumber
        operation
        rows
      }
    }
  }
}
`;

/** By what a notice is about. */
export const SHOW: Record<string, string | undefined> = {
  application: SHOW_APPLICATION,
  'master form': SHOW_FORM,
  inspection: SHOW_INSPECTION,
};
