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
