// Package rules embeds plumbline's rules: one YAML file a rule in a folder a
// service, its cases beside it, the frameworks that map requirements to rules,
// and the generated index. docs/rules.md says how to write one.
package rules

import "embed"

//go:generate go run ./gen

// FS holds the rules as they lie in this folder.
//
//go:embed index.json checked.bin */*.yaml
var FS embed.FS
