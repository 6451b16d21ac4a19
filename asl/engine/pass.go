package engine

// performPass hands on the state's Result, or its Parameters or input.
func (f *frame) performPass(effective any) bool {
	args, err := f.state.flow.arguments(f, effective)
	if err != nil {
		return f.failed(err)
	}
	return f.succeed(args)
}
