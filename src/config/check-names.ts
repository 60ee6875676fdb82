/** What is probed, by the names that people gave it. */
export interface ProbedNames {
  readonly service: string;
  readonly server: string;
  readonly check: string;
}
