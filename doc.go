// Package plumbline holds no code: its tests are about the repository as a
// whole. The program is cmd/plumbline.
package plumbline

//go:generate go test -run TestReadme|TestDiagrams -update .
