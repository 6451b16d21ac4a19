package cli

import (
	"os"
	"strings"

	"plumbline/internal/sfn"
	"plumbline/internal/sfn/function"
	"plumbline/internal/sfn/service"
)

// callTasks has the tasks that no mock answers be called: functions as processes
// of this machine, everything else at the endpoints of the environment. self is
// where the server listens. end ends the processes.
func (f *sfnFlags) callTasks(s *Streams, c *sfn.Config, self string) (end func(), err error) {
	o := function.Options{Region: c.Region, Account: c.Account, Timeout: f.functionTimeout, Log: s.Err, Environ: os.Environ()}
	add := func(name, value string) {
		if s.Env(name) == "" {
			o.Environ = append(o.Environ, name+"="+value)
		}
	}
	add("AWS_ENDPOINT_URL_SFN", self)
	if s.Env("AWS_PROFILE") == "" { // a function has credentials on AWS, and its SDK wants some
		add("AWS_ACCESS_KEY_ID", "plumbline")
		add("AWS_SECRET_ACCESS_KEY", "plumbline")
	}
	if f.functionTimeout < 0 {
		return nil, usagef("--function-timeout %v: give a time above 0, such as 30s", f.functionTimeout)
	}
	functions := function.New(o)
	for _, given := range f.functions {
		if name, path, named := strings.Cut(given, "="); named {
			err = functions.Add(name, path)
		} else {
			err = functions.AddFolder(given)
		}
		if err != nil {
			return nil, usagef("--function %s: %v", given, err)
		}
	}
	services := service.New(s.Env, c.Region, functions)
	services.ServeAt(self)
	c.Tasks = services
	return functions.Close, nil
}
