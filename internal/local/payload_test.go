package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"plumbline/asl"
	"plumbline/finding"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks/acquirelease"
	"plumbline/tasks/applychange"
	"plumbline/tasks/askapproval"
	"plumbline/tasks/assess"
	"plumbline/tasks/catalog"
	"plumbline/tasks/checkchange"
	"plumbline/tasks/evaluate"
	"plumbline/tasks/fetchstack"
	"plumbline/tasks/judgeresource"
	"plumbline/tasks/listtargets"
	"plumbline/tasks/measuresla"
	"plumbline/tasks/notify"
	"plumbline/tasks/persistfindings"
	"plumbline/tasks/planchange"
	"plumbline/tasks/readdecision"
	"plumbline/tasks/recordchange"
	"plumbline/tasks/recordfailure"
	"plumbline/tasks/releaseleases"
	"plumbline/tasks/selectreviews"
	"plumbline/tasks/settlefinding"
	"plumbline/tasks/summarize"
	"plumbline/tasks/tellchange"
	"plumbline/tasks/undochange"
	"plumbline/tasks/verifychange"
	"plumbline/tasks/writereport"
	"plumbline/workflows"
)

// contracts are what each task takes and gives.
func contracts() map[string][2]any {
	out := map[string][2]any{
		"ListTargets":     {listtargets.In{}, listtargets.Out{}},
		"FetchStack":      {fetchstack.In{}, fetchstack.Out{}},
		"Assess":          {assess.In{}, assess.Out{}},
		"PersistFindings": {persistfindings.In{}, persistfindings.Out{}},
		"WriteReport":     {writereport.In{}, writereport.Out{}},
		"Notify":          {notify.In{}, notify.Out{}},
		"Summarize":       {summarize.In{}, summarize.Out{}},
		"MeasureSLA":      {measuresla.In{}, measuresla.Out{}},
		"RecordFailure":   {scan.FailureInput{}, recordfailure.Out{}},

		"JudgeResource": {judgeresource.In{}, judgeresource.Out{}},
		"AcquireLease":  {acquirelease.In{}, acquirelease.Out{}},
		"PlanChange":    {change.Request{}, planchange.Out{}},
		"AskApproval":   {askapproval.In{}, askapproval.Out{}},
		"ReadDecision":  {readdecision.In{}, change.Result{}},
		"CheckChange":   {checkchange.In{}, change.Result{}},
		"ApplyChange":   {applychange.In{}, applychange.Out{}},
		"VerifyChange":  {verifychange.In{}, change.Result{}},
		"UndoChange":    {undochange.In{}, change.Result{}},
		"RecordChange":  {recordchange.In{}, recordchange.Out{}},
		"TellChange":    {tellchange.In{}, tellchange.Out{}},
		"SettleFinding": {settlefinding.In{}, settlefinding.Out{}},
		"SelectReviews": {selectreviews.In{}, selectreviews.Out{}},
		"ReleaseLeases": {releaseleases.In{}, releaseleases.Out{}},
	}
	for _, d := range finding.Domains {
		out[catalog.Evaluate(d)] = [2]any{evaluate.In{}, evaluate.Out{}}
	}
	return out
}

// TestPayloadsAreWhatTasksTake holds what workflows write to what tasks read,
// since tasks decode leniently: a field that is misspelt on either side would
// otherwise be lost without a word.
func TestPayloadsAreWhatTasksTake(t *testing.T) {
	tasks, checked := contracts(), map[string]bool{}
	for _, name := range workflows.Names() {
		src, err := workflows.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := asl.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.All() {
			var call struct {
				FunctionName string
				Payload      map[string]json.RawMessage
			}
			if s.Type != "Task" || !strings.HasSuffix(strings.TrimSuffix(s.Resource, ".waitForTaskToken"), "lambda:invoke") {
				continue
			}
			if err := json.Unmarshal(s.Parameters, &call); err != nil {
				t.Fatalf("%s: %v", s.Name, err)
			}
			task := strings.TrimSuffix(strings.TrimPrefix(call.FunctionName, "${"), "Arn}")
			contract, ok := tasks[task]
			if !ok {
				t.Errorf("%s calls %s, whose contract is not listed here", s.Name, task)
				continue
			}
			checked[task] = true
			given := map[string]any{}
			for key := range call.Payload {
				given[strings.TrimSuffix(key, ".$")] = nil
			}
			if err := takes(contract[0], given); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
			read := map[string]any{}
			for _, m := range regexp.MustCompile(`\$\.Payload\.(\w+)`).FindAllSubmatch(s.ResultSelector, -1) {
				read[string(m[1])] = nil
			}
			if err := takes(contract[1], read); err != nil {
				t.Errorf("%s reads what %s does not give: %v", s.Name, task, err)
			}
		}
	}
	for task := range maps.Keys(tasks) {
		if !checked[task] {
			t.Errorf("no workflow calls %s", task)
		}
	}
}

// takes reports whether a struct has a JSON field for each of the keys.
func takes(contract any, keys map[string]any) error {
	b, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(reflect.TypeOf(contract)).Interface()); err != nil {
		return fmt.Errorf("%T: %w", contract, err)
	}
	return nil
}
