// Command gen writes MockConfigFile.json from the scenarios, so that the two
// cannot drift apart. It runs in the folder of the scenarios.
package main

import (
	"fmt"
	"os"

	statemachine "plumbline/statemachine-tests"
)

func main() {
	text, err := statemachine.MockConfig(".", false)
	if err == nil {
		err = os.WriteFile(statemachine.MockFile, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
