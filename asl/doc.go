// Package asl is the Amazon States Language as a model: parse, validate, lint
// and draw state machine definitions. It knows no AWS SDK, no HTTP, no SQL,
// and nothing of plumbline; asl/engine runs a Definition, asl/asltest tests it.
//
//	d, err := asl.Parse(source)
//	if err != nil {
//		return err // what no state machine can be made of, with line and column
//	}
//	for _, problem := range append(d.Validate(), d.Lint()...) {
//		fmt.Println(problem)
//	}
//	machine, err := engine.Compile(d)
//	if err != nil {
//		return err
//	}
//	x, err := engine.Run(ctx, machine, input, engine.Options{Tasks: engine.Functions{"${FetchArn}": fetch}})
//
// x.Result() is then the status and output. State has each field of the
// language by its name; engine has a file for each type of state.
package asl
