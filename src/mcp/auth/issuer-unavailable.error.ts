/** An issuer that cannot be asked, or that answers something unusable. Its message is for operators. */
export class IssuerUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'IssuerUnavailable';
  }
}
