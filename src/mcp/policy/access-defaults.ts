/** How a server decides where decorators leave it open. */
export interface AccessDefaults {
  /**
   * Who may use what carries no access decorator, once callers are asked who they are: everyone who has said so, or
   * nobody. Default `authenticated`.
   */
  readonly undeclared?: 'authenticated' | 'nobody';
  /**
   * What becomes of a caller who lacks a scope only. `challenge`: the list does not show it, a call is refused with
   * `insufficient_scope`. `advertise`: the list shows it, so that models call it and clients ask their users for the
   * scope. `hide`: to this caller it does not exist. Default `challenge`.
   */
  readonly missingScope?: 'challenge' | 'advertise' | 'hide';
}
