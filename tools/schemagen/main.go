// Command schemagen makes cfn/schema/schemas.bin, the compact file of
// CloudFormation's resource types, from the wheel of the Python package
// cfn-lint, which carries AWS's resource provider schemas. The same wheel gives
// the same bytes. It needs no network.
//
//	go run -C tools ./schemagen -wheel "$PWD/$(tools/fetch-schemas.sh)" -out "$PWD/cfn/schema/schemas.bin"
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	wheel := flag.String("wheel", "", "the cfn-lint wheel to read")
	out := flag.String("out", "", "the file to write")
	flag.Parse()
	if *wheel == "" || *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*wheel, *out, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

// run writes the schemas of the wheel to out, and says on log what a
// person who updates the version wants to look at.
func run(wheel, out string, log io.Writer) error {
	pkg, err := openWheel(wheel)
	if err != nil {
		return err
	}
	defer pkg.Close()
	var resources []*resource
	for _, name := range pkg.typeNames() {
		s, err := pkg.schema(name)
		if err != nil {
			return err
		}
		r, notes, err := newResource(s, pkg.stateful[name])
		if err != nil {
			return fmt.Errorf("read schema of %s: %w", name, err)
		}
		for _, n := range notes {
			fmt.Fprintf(log, "%s: %s\n", name, n)
		}
		resources = append(resources, r)
	}
	data, sizes := encode(pkg.source(), resources)
	if err := os.WriteFile(out, data, 0o644); err != nil {
		return fmt.Errorf("write schemas: %w", err)
	}
	fmt.Fprintf(log, "%d types, %d bytes: %s\n", len(resources), len(data), sizes)
	return nil
}
