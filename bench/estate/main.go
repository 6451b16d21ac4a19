// Command estate writes docs/scale.md: how long it takes to scan an estate of
// thousands of stacks within the limits of their accounts. The workflows run as
// they are deployed, on the engine, in virtual time; functions and services are
// modelled.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	write := flag.String("write", "", "write the page to this `FILE` instead of standard output")
	flag.Parse()
	text, err := page(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if *write == "" {
		fmt.Print(text)
		return
	}
	if err := os.WriteFile(*write, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}
