// Command plumbline-aws is plumbline with AWS's SDK: it reads deployed stacks
// and their live resources. plumbline runs it where an account is asked for; it
// is a binary of its own since the SDK makes one larger and slower to start.
package main

import (
	"os"

	"plumbline/internal/awsaccount"
	"plumbline/internal/cli"
)

func main() {
	s := cli.System()
	s.Accounts = awsaccount.Open
	os.Exit(cli.Main(os.Args[1:], s))
}
