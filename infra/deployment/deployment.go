// Package deployment is the configuration of plumbline on AWS: which regions
// run the suite, and which of them is the primary that also holds roll-up,
// dashboard, approval page and SLA. It holds no stack: stacks are made from it.
package deployment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Deployment says where the suite runs. Each region scans its own stacks with
// its own tables, tokens and leases; the primary alone reports on all.
type Deployment struct {
	Account   string   `json:"account"`   // 12 digits
	Primary   string   `json:"primary"`   // default us-east-1
	Secondary []string `json:"secondary"` // default eu-west-1; may be empty, not null
}

// Default regions of the suite.
const (
	DefaultPrimary   = "us-east-1"
	DefaultSecondary = "eu-west-1"
)

var (
	accountID = regexp.MustCompile(`^\d{12}$`)
	// Region names as AWS forms them: partition or geography, direction, number.
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

// Read decodes a deployment strictly, fills in the defaults, and reports all
// that is wrong with it together.
func Read(r io.Reader) (Deployment, error) {
	var d Deployment
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Deployment{}, fmt.Errorf("deployment: %w. allowed are account, primary and secondary", err)
	}
	if d.Primary == "" {
		d.Primary = DefaultPrimary
	}
	if d.Secondary == nil && d.Primary != DefaultSecondary {
		d.Secondary = []string{DefaultSecondary}
	}
	return d, d.validate()
}

// Regions lists the primary, then the secondaries in the order given.
func (d Deployment) Regions() []string { return append([]string{d.Primary}, d.Secondary...) }

func (d Deployment) validate() error {
	var errs []error
	if !accountID.MatchString(d.Account) {
		errs = append(errs, fmt.Errorf("account %q: 12 digits are needed", d.Account))
	}
	for i, r := range d.Regions() {
		if !regionName.MatchString(r) {
			errs = append(errs, fmt.Errorf("region %q: a name such as %s is needed", r, DefaultPrimary))
		}
		if slices.Contains(d.Regions()[:i], r) {
			errs = append(errs, fmt.Errorf("region %q stands twice in %s. name each region once", r, strings.Join(d.Regions(), ", ")))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	return nil
}
