// Package account says what the command line asks of an AWS account, without
// AWS's SDK: internal/awsaccount answers.
package account

import (
	"context"

	"plumbline/scan"
	"plumbline/scan/deployed"
)

// Options say which stacks of which account are read, and as whom.
type Options struct {
	Regions []string // none: that of the profile or the environment
	Profile string   // of the shared configuration files; "": AWS_PROFILE or the default
	Role    string   // ARN of a role to assume, of another account as well; "": none
	// Stacks are the names or ids of those to read; none: all.
	Stacks []string
	// Forgive lets a stack that does not exist be a target: one that is remembered.
	Forgive   bool
	Relations deployed.Relations
	// PerSecond bounds the calls of Cloud Control a region; 0: its default.
	PerSecond int
}

// Account is the stacks of one account. Safe for concurrent use.
type Account interface {
	// Regions lists the regions that are read.
	Regions() []string
	// Targets lists the stacks: those that were named, or all, nested ones too. Where
	// all of several regions are asked for, it lists those of the regions that can be
	// read, and the error is of the others.
	Targets(ctx context.Context) ([]scan.Target, error)
	// Fetch reads a stack and what is deployed of it.
	Fetch(ctx context.Context, t scan.Target) (*scan.Snapshot, error)
	// Diagnose looks at what scans need, and at the deployed suite where there is one.
	Diagnose(ctx context.Context) []Check
}

// Opener opens an account. It calls no service yet.
type Opener func(ctx context.Context, o Options) (Account, error)

// Check is one thing that was looked at.
type Check struct {
	Region string `json:"region"`
	What   string `json:"what"`
	Status Status `json:"status"`
	Says   string `json:"says"` // what was seen, and what to do about a problem
}

// Status is how a check ended.
type Status string

// The ways in which a check ends.
const (
	OK      Status = "ok"
	Problem Status = "problem" // something has to be mended
	Note    Status = "note"    // worth knowing, and nothing is broken
)
