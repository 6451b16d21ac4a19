package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
)

// manifestName is the file that makes a folder a cloud assembly, what cdk synth
// writes to cdk.out.
const manifestName = "manifest.json"

// Types of artifacts in a manifest, as in CDK's cloud-assembly-schema.
const (
	artifactStack    = "aws:cloudformation:stack"
	artifactAssembly = "cdk:cloud-assembly" // a stage: an assembly in a folder of its own
)

// manifest is what is read of a cloud assembly's manifest. Unknown fields and
// artifact types are left alone, so that newer versions of the schema can be read.
type manifest struct {
	Version   string
	Artifacts map[string]struct {
		Type        string
		Environment string // aws://account/region
		Properties  struct {
			TemplateFile  string
			StackName     string
			DirectoryName string
		}
	}
}

// assembly is a cloud assembly's folder as read.
type assembly struct {
	stacks []Template // Path is the file's name, relative to the folder
	stages []string   // folders of nested assemblies, relative
}

// assembly reads the manifest in dir: nil where there is none or where it is
// some other program's, an error where it is CDK's and broken. Each is read once.
func (f *finder) assembly(dir string) (*assembly, error) {
	real := realPath(dir)
	if a, ok := f.assemblies[real]; ok {
		return a, nil
	}
	a, err := readAssembly(dir)
	if err == nil {
		f.assemblies[real] = a
	}
	return a, err
}

func readAssembly(dir string) (*assembly, error) {
	path := filepath.Join(dir, manifestName)
	src, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	// CDK writes a file named cdk.out beside its manifest.
	ours := filepath.Base(realPath(dir)) == "cdk.out" || exists(filepath.Join(dir, "cdk.out"))
	if err != nil {
		if ours {
			return nil, errors.New(reason(err))
		}
		return nil, nil
	}
	ours = ours || bytes.Contains(src, []byte(artifactStack)) || bytes.Contains(src, []byte(artifactAssembly))
	if !ours && (json.Valid(src) || !holdsStacks(dir)) {
		return nil, nil
	}
	var m manifest
	if err := json.Unmarshal(src, &m); err != nil {
		return nil, fmt.Errorf("not the manifest of a cloud assembly: %s. run cdk synth again", manifestProblem(src, err))
	}
	switch {
	case m.Version == "":
		return nil, errors.New("not the manifest of a cloud assembly: it has no version. run cdk synth again")
	case m.Artifacts == nil:
		return nil, errors.New("not the manifest of a cloud assembly: it has no artifacts. run cdk synth again")
	}
	a := &assembly{}
	for id, artifact := range m.Artifacts {
		switch artifact.Type {
		case artifactStack:
			t := Template{Path: artifact.Properties.TemplateFile, Stack: artifact.Properties.StackName}
			if t.Stack == "" {
				t.Stack = id
			}
			t.Account, t.Region = environment(artifact.Environment)
			a.stacks = append(a.stacks, t)
		case artifactAssembly:
			a.stages = append(a.stages, artifact.Properties.DirectoryName)
		}
	}
	slices.SortFunc(a.stacks, func(x, y Template) int { return strings.Compare(x.Path+"\x00"+x.Stack, y.Path+"\x00"+y.Stack) })
	slices.Sort(a.stages)
	return a, nil
}

// manifestProblem says where a manifest cannot be read and why, without the
// words that encoding/json has for Go's types.
func manifestProblem(src []byte, err error) string {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		where := ""
		if wrong.Field != "" {
			field := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:]
			where = strconv.Quote(strings.ToLower(field[:1])+field[1:]) + ": " // as manifests write it
		}
		want := "an object"
		if wrong.Type.Kind() == reflect.String {
			want = "a text"
		}
		got, _, _ := strings.Cut(wrong.Value, " ") // "number 5" is a number
		switch got {
		case "string":
			got = "a text"
		case "array":
			got = "a list"
		case "object":
			got = "an object"
		case "bool":
			got = "true or false"
		default:
			got = "a " + got
		}
		return fmt.Sprintf("%s: %swant %s, got %s", lineColumn(src, wrong.Offset), where, want, got)
	case errors.As(err, &syntax) && syntax.Error() != "unexpected end of JSON input":
		return lineColumn(src, syntax.Offset) + ": not JSON: " + strings.Replace(syntax.Error(), "looking for", "where there should be", 1)
	}
	return "it is cut off in the middle"
}

// lineColumn is the place of the byte before an offset, both counted from 1.
func lineColumn(src []byte, offset int64) string {
	before := src[:min(max(offset-1, 0), int64(len(src)))]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'))
}

// holdsStacks reports whether a folder has a template named as the CDK names them.
func holdsStacks(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".template.json") })
}

// environment parts aws://account/region. CDK writes unknown-account and
// unknown-region for a stack that is not bound to them.
func environment(s string) (account, region string) {
	rest, ok := strings.CutPrefix(s, "aws://")
	if !ok {
		return "", ""
	}
	account, region, _ = strings.Cut(rest, "/")
	if account == "unknown-account" {
		account = ""
	}
	if region == "unknown-region" {
		region = ""
	}
	return account, region
}

// addAssembly lists the stacks of the cloud assembly in dir; false where there is
// none. A broken manifest is an outcome of its own, and the folder is then
// walked as any other.
func (f *finder) addAssembly(dir, real string) bool {
	a, err := f.assembly(dir)
	if err != nil {
		f.add(filepath.Join(real, manifestName), Template{Path: filepath.Join(dir, manifestName), Failed: err.Error()})
		return false
	}
	if a == nil {
		return false
	}
	f.folders[real] = true
	for _, t := range a.stacks {
		f.addStack(dir, real, t)
	}
	for _, stage := range a.stages {
		path, realStage := filepath.Join(dir, stage), realPath(filepath.Join(dir, stage))
		if stage == "" || !filepath.IsLocal(stage) {
			f.add(filepath.Join(real, manifestName)+"\x00"+stage, Template{Path: filepath.Join(dir, manifestName), Failed: fmt.Sprintf("stage folder %q lies outside of the assembly", stage)})
			continue
		}
		if !f.folders[realStage] && !f.addAssembly(path, realStage) {
			f.add(realStage, Template{Path: path, Failed: "a stage of the assembly without a readable manifest. run cdk synth again"})
		}
	}
	f.leftover(dir, real, a)
	return true
}

// addStack lists one stack of an assembly and the nested stacks in its template.
func (f *finder) addStack(dir, real string, t Template) {
	name := t.Path
	t.Path = filepath.Join(dir, name)
	if name == "" || !filepath.IsLocal(name) {
		t.Path, t.Failed = filepath.Join(dir, manifestName), fmt.Sprintf("the template of stack %q, %q, lies outside of the assembly", t.Stack, name)
		f.add(filepath.Join(real, manifestName)+"\x00"+t.Stack, t)
		return
	}
	realName := filepath.Join(real, name)
	if f.stacks[realName] {
		return
	}
	f.stacks[realName] = true
	src, size, err := head(t.Path, nil)
	switch {
	case errors.Is(err, os.ErrNotExist):
		t.Failed = "the cloud assembly names this template, but it is not there. run cdk synth again"
	case err != nil:
		t.Failed = reason(err)
	case size > cfn.MaxSize:
		t.Failed = tooLarge(size)
	}
	f.add(realName, t)
	if t.Failed != "" {
		return
	}
	for _, n := range nestedStacks(t.Path, src) {
		n.Stack, n.Account, n.Region = t.Stack+"-"+n.Stack, t.Account, t.Region
		f.addStack(dir, real, n)
	}
}

// nestedStacks returns the nested stacks that a CDK template deploys: the
// template's file, relative to the assembly, and the logical id as Stack.
func nestedStacks(path string, src []byte) []Template {
	if !bytes.Contains(src, []byte(`"aws:asset:path"`)) || !bytes.Contains(src, []byte(`"AWS::CloudFormation::Stack"`)) {
		return nil
	}
	t, err := cfn.Parse(path, src)
	if err != nil {
		return nil // it is told when the template is scanned
	}
	var nested []Template
	for _, r := range t.Resources {
		if r.Type != "AWS::CloudFormation::Stack" {
			continue
		}
		if asset := r.Body.Lookup("Metadata", "aws:asset:path"); asset.IsKind(cfn.String) && strings.HasSuffix(asset.Text, ".json") {
			nested = append(nested, Template{Path: asset.Text, Stack: r.LogicalID})
		}
	}
	return nested
}

// nestedSuffix ends the names of nested stacks' templates.
const nestedSuffix = ".nested.template.json"

// leftover lists nested templates that no parent names, as when CDK was told to
// write no asset metadata. They have the account and region that all stacks share.
func (f *finder) leftover(dir, real string, a *assembly) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var account, region string
	for i, t := range a.stacks {
		if i > 0 && (t.Account != account || t.Region != region) {
			account, region = "", ""
			break
		}
		account, region = t.Account, t.Region
	}
	for _, e := range entries {
		realName := filepath.Join(real, e.Name())
		if _, ok := f.seen[realName]; ok || !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), nestedSuffix) {
			continue
		}
		f.add(realName, Template{Path: filepath.Join(dir, e.Name()), Account: account, Region: region})
	}
}

// fromAssembly completes a template that was given by name with the stack that
// the assembly around it deploys it as, so that its findings keep their
// fingerprints however the template is given.
func (f *finder) fromAssembly(t *Template, real string) {
	if !strings.HasSuffix(t.Path, ".template.json") {
		return
	}
	dir := filepath.Dir(t.Path)
	if a, err := f.assembly(dir); err != nil || a == nil {
		return
	}
	realDir := filepath.Dir(real)
	known, ok := f.deployed[realDir]
	if !ok {
		all := newFinder()
		all.assemblies = f.assemblies
		all.addAssembly(dir, realDir)
		known = make(map[string]Template, len(all.seen))
		for path, i := range all.seen {
			known[path] = all.listing.Templates[i]
		}
		f.deployed[realDir] = known
	}
	if k, ok := known[real]; ok {
		t.Stack, t.Account, t.Region = k.Stack, k.Account, k.Region
	}
}
