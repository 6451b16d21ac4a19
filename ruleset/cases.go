package ruleset

// caseSuffix ends the name of a rule's case file.
const caseSuffix = "_test.yaml"
