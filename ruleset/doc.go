// Package ruleset judges CloudFormation resources by rules: YAML files with CEL
// expressions that are typed from CloudFormation's own schemas. It also holds
// the organisation's policy, suppressions, and the frameworks that map
// requirements to rules. docs/rules.md says how to write a rule.
package ruleset
