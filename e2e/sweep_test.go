//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestSweep: a schedule has every stack of its region scanned, and people told
// once of all that is new.
func TestSweep(t *testing.T) {
	r := in(regions[1])
	r.put(t, "SweptOne", flawed)
	r.put(t, "SweptTwo", closed)
	boxes := subscribe(t, r)
	end := r.scan(t, "ScanEstate", scheduled(r, time.Now()))
	fmt.Println(end.Status, aws.ToString(end.Error), aws.ToString(end.Cause), aws.ToString(end.Output))
	if end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	for _, k := range r.objects(t, "scans/") {
		fmt.Println(k, string(r.read(t, k)))
	}
	for _, s := range []string{"", "SweptOne", "SweptTwo"} {
		for _, l := range boxes.letters(t, s) {
			fmt.Println(s, l.To, l.Subject, l.attributes)
		}
		fmt.Println(s, len(r.rows(t, s)))
	}
	for _, s := range []string{"PlumblineSuite", "PlumblineData", "CDKToolkit"} {
		for _, row := range r.rows(t, s) {
			fmt.Println(row.text("resourceId"), row.text("violationType"), row.text("status"))
		}
	}
	_ = json.Marshal
}
