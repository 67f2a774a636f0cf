/** The package has no types of its own. */
declare module "asl-validator" {
  /** What is wrong with a definition in Amazon States Language. */
  function validate(definition: object): { isValid: boolean; errors: unknown[] };
  export = validate;
}
