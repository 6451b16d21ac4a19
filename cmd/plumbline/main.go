// Command plumbline judges AWS infrastructure against PCI DSS and an
// organisation's own policies. All of it is in internal/cli.
package main

import (
	"os"

	"plumbline/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], cli.System())) }
