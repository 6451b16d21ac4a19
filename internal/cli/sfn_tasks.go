package cli

import (
	"net/url"
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
	env, err := f.environment(s)
	if err != nil {
		return nil, err
	}
	services := service.New(env, c.Region, functions)
	services.ServeAt(self)
	c.Tasks = services
	return functions.Close, nil
}

// environment is where services find their endpoints: the process's own, with
// --lambda-endpoint in the place of its variable.
func (f *sfnFlags) environment(s *Streams) (func(string) string, error) {
	if f.lambda == "" {
		return s.Env, nil
	}
	u, err := url.Parse(f.lambda)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--lambda-endpoint %q is no endpoint. give one such as http://127.0.0.1:3001", f.lambda)
	}
	return func(name string) string {
		if name == "LAMBDA_ENDPOINT" {
			return f.lambda
		}
		return s.Env(name)
	}, nil
}
