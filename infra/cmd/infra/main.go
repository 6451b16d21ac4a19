// Command infra is the CDK app: it makes the stacks of a deployment. CDK's
// command line calls it (see cdk.json and the Makefile); it says where the
// templates go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/bundle"
	"plumbline/infra/deployment"
	"plumbline/infra/judge"
	"plumbline/infra/stack"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("infra: ")
	file := flag.String("deployment", "deployment.json", "the deployment's file; deployment.example.json is one to copy")
	functions := flag.String("functions", "../dist", "folder with FOLDER/bootstrap of each task")
	bundles := flag.String("bundles", "../dist", "folder to write the packed policy to")
	flag.Parse()

	d, err := read(*file)
	if err != nil {
		log.Fatal(err)
	}
	o := stack.Options{Functions: *functions}
	if d.Policy != "" {
		if o.BundleKey, err = pack(filepath.Join(filepath.Dir(*file), d.Policy), *bundles); err != nil {
			log.Fatal(err)
		}
	}
	app := stack.NewApp("")
	if err := stack.Add(app, d, o); err != nil {
		log.Fatal(err)
	}
	err = check(app.Synth(nil), d.Account)
	jsii.Close()
	if err != nil {
		log.Fatal(err)
	}
}

// check holds what was synthesized to plumbline's own rules: a stack that
// breaks one is not deployed.
func check(made cxapi.CloudAssembly, account string) error {
	var errs []error
	for _, s := range *made.Stacks() {
		source, err := os.ReadFile(*s.TemplateFullPath())
		if err != nil {
			return err
		}
		r, err := judge.Template(context.Background(), *s.Id(), source, account, *s.Environment().Region)
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s breaks our own rules: %w", *s.Id(), err))
		}
	}
	return errors.Join(errs...)
}

func read(file string) (deployment.Deployment, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return deployment.Deployment{}, fmt.Errorf("%w. copy infra/deployment.example.json, or name another file with DEPLOYMENT=FILE", err)
	}
	if err != nil {
		return deployment.Deployment{}, err
	}
	defer f.Close()
	d, err := deployment.Read(f)
	if err != nil {
		return d, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// pack packs the policy's folder and writes it where it is uploaded from,
// under the key that it gets in the bucket.
func pack(folder, to string) (key string, err error) {
	b, err := bundle.Pack(folder, os.DirFS(folder))
	if err != nil {
		return "", err
	}
	path := filepath.Join(to, filepath.FromSlash(b.Key))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return b.Key, os.WriteFile(path, b.Zip, 0o644)
}
