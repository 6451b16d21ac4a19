package engine

// performSucceed ends the machine, or the branch, with the state's input.
func (f *frame) performSucceed(effective any) bool { return f.succeed(effective) }
