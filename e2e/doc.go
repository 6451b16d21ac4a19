// Package e2e holds plumbline as it is deployed to what it promises: the stacks
// that CDK synthesizes, in two regions of an emulator, with the functions' own
// binaries. Its tests see the suite from outside, by AWS's API, as a customer
// does; `make e2e` installs the emulator and runs them, and docs/e2e.md says
// which of them proves what. They have the build tag e2e, so that `go test`
// needs neither Python nor Node.
package e2e
