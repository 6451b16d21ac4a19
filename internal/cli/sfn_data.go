package cli

import (
	"context"

	"plumbline/asl/engine"
	"plumbline/internal/sfn"
	"plumbline/internal/sfn/journal"
)

// newSfnServer makes the server, which goes on with what --data has. What of
// that is damaged is told in the log: it keeps nobody from the rest.
func newSfnServer(ctx context.Context, f *sfnFlags, c *sfn.Config) (api *sfn.Server, closeData func(), err error) {
	if f.data == "" {
		api, err = sfn.New(*c)
		return api, func() {}, err
	}
	if f.virtual {
		return nil, nil, usagef("--data and --virtual-time do not go together: time that has been jumped over cannot be gone back to. leave one out")
	}
	j, entries, losses, err := journal.Open(ctx, f.data)
	if err != nil {
		return nil, nil, usageError{err}
	}
	closeData = func() {
		if err := j.Close(); err != nil {
			c.Log.Print(err)
		}
	}
	for _, loss := range losses {
		c.Log.Printf("journal: %s", loss)
	}
	c.Journal, c.Store = j, j
	if api, err = sfn.New(*c); err != nil {
		closeData()
		return nil, nil, err
	}
	if err := api.Resume(entries); err != nil {
		c.Log.Printf("journal: %v", err)
	}
	running := 0
	for _, x := range api.Engine().Executions() {
		if x.Result().Status == engine.Running {
			running++
		}
	}
	if running > 0 {
		c.Log.Printf("executions of %s that go on: %d", f.data, running)
	}
	return api, closeData, nil
}
