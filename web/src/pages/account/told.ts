/** An error this page found out by itself, with a code as the server's have: ErrorBox shows both. `href` is a way on. */
export class Told extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly href: string | null = null,
  ) {
    super(detail);
    this.name = "Told";
  }
}
