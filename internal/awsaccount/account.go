// Package awsaccount opens AWS accounts from a laptop: the stacks that
// `plumbline scan --stack` judges, and what `plumbline doctor` looks at. It carries
// AWS's SDK, so that the binary without it stays small and starts at once.
package awsaccount

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	awscloudcontrol "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumbline/internal/account"
	"plumbline/internal/cloudcontrol"
	"plumbline/internal/nearest"
	"plumbline/internal/stacks"
	"plumbline/scan"
	"plumbline/scan/deployed"
)

// Account is the stacks of one account. Safe for concurrent use.
type Account struct {
	o       account.Options
	regions []string
	open    map[string]*region
}

type region struct {
	config aws.Config
	stacks *stacks.Region
	reader *deployed.Reader
}

// Open reads the configuration as AWS's own tools do. It calls no service yet.
func Open(ctx context.Context, o account.Options) (account.Account, error) {
	shared, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	if len(o.Regions) == 0 {
		if shared.Region == "" {
			return nil, errors.New("no region is known. give --region, or set AWS_REGION or the profile's region")
		}
		o.Regions = []string{shared.Region}
	}
	a := &Account{o: o, regions: o.Regions, open: map[string]*region{}}
	for _, name := range o.Regions {
		c := shared.Copy()
		c.Region = name
		r := &region{config: c, stacks: stacks.New(cloudformation.NewFromConfig(c), name)}
		r.reader = deployed.New(r.stacks, reader(c, o.PerSecond), o.Relations, time.Now)
		a.open[name] = r
	}
	return a, nil
}

// reader paces calls by itself, so the SDK need not wait as long as it does
// between attempts.
func reader(c aws.Config, perSecond int) *cloudcontrol.Reader {
	return cloudcontrol.NewReader(awscloudcontrol.NewFromConfig(c, func(o *awscloudcontrol.Options) {
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts, s.MaxBackoff = 2, time.Second })
	}), perSecond)
}

func load(ctx context.Context, o account.Options) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	// Scans of a whole account outlast the SDK's three attempts at CloudFormation's limits.
	options = append(options, config.WithRetryMaxAttempts(8))
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if len(o.Regions) > 0 {
		options = append(options, config.WithRegion(o.Regions[0]))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if errors.As(err, new(config.SharedConfigProfileNotExistError)) {
		return c, fmt.Errorf("profile %q is in none of AWS's configuration files. \"aws configure list-profiles\" lists those that are", o.Profile)
	}
	if err != nil {
		return c, fmt.Errorf("read AWS's configuration: %w", err)
	}
	if o.Role != "" {
		c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c), o.Role, func(p *stscreds.AssumeRoleOptions) {
			p.RoleSessionName = "plumbline"
		}))
	}
	return c, nil
}

// Regions lists the regions that are read.
func (a *Account) Regions() []string { return a.regions }

// Targets lists the stacks: those that were named, or all, nested ones too.
func (a *Account) Targets(ctx context.Context) ([]scan.Target, error) {
	var out []scan.Target
	var unread []error
	for _, name := range a.regions {
		r := a.open[name]
		if len(a.o.Stacks) == 0 {
			list, err := r.stacks.Targets(ctx)
			if err != nil {
				unread = append(unread, fmt.Errorf("region %s: %w", name, explain(err)))
			}
			out = append(out, list...)
			continue
		}
		for _, stack := range a.o.Stacks {
			t, there, err := r.stacks.Find(ctx, stack)
			switch {
			case err != nil:
				return nil, fmt.Errorf("region %s: %w", name, explain(err))
			case there:
				out = append(out, t)
			case a.o.Forgive:
				out = append(out, scan.Target{Stack: stack, Region: name})
			case len(a.regions) == 1:
				return nil, a.unknown(ctx, r, name, stack)
			}
		}
	}
	for _, stack := range a.o.Stacks {
		if len(a.regions) > 1 && !a.o.Forgive && !named(out, stack) {
			return nil, fmt.Errorf("stack %q is in none of the regions %s", stack, strings.Join(a.regions, ", "))
		}
	}
	return out, errors.Join(unread...)
}

func named(targets []scan.Target, stack string) bool {
	for _, t := range targets {
		if t.Stack == stack || strings.Contains(stack, ":stack/"+t.Stack+"/") {
			return true
		}
	}
	return false
}

// unknown says that a stack does not exist, and which one may be meant.
func (a *Account) unknown(ctx context.Context, r *region, in, stack string) error {
	err := fmt.Errorf("there is no stack %q in %s", stack, in)
	list, unread := r.stacks.Targets(ctx)
	if unread != nil {
		return err
	}
	var names []string
	for _, t := range list {
		names = append(names, t.Stack)
	}
	if n := nearest.Of(stack, names); n != "" {
		return fmt.Errorf("%w. did you mean %q?", err, n)
	}
	return fmt.Errorf("%w. it has %d others; --all-stacks scans them", err, len(names))
}

// Fetch reads a stack and what is deployed of it.
func (a *Account) Fetch(ctx context.Context, t scan.Target) (*scan.Snapshot, error) {
	r := a.open[t.Region]
	if r == nil {
		return nil, fmt.Errorf("%s is not in the regions %s", t, strings.Join(a.regions, ", "))
	}
	s, err := r.reader.Fetch(ctx, t)
	return s, explain(err)
}
