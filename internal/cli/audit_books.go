package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/internal/account"
)

// booksFlags say which ledger is read: that of a data folder, or that of
// plumbline on AWS.
type booksFlags struct {
	aws    bool
	region string
	as     liveFlags
}

func (f *booksFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.aws, "aws", false, "read the ledger of plumbline on AWS, instead of --data")
	c.Flags().StringVar(&f.region, "region", "", "with --aws: the `REGION` of the ledger (default: that of the profile)")
	f.as.registerIdentity(c)
}

// openBooks opens the books that the flags name; done is called at the end.
func openBooks(ctx context.Context, s *Streams, f *remediateFlags, far *booksFlags) (b account.Books, done func() error, err error) {
	if !far.aws {
		d, err := f.openData(ctx, false)
		if err != nil {
			return b, nil, err
		}
		return account.Books{Ledger: d.Ledger, Plans: d.Blobs}, d.Close, nil
	}
	if f.data != "" {
		return b, nil, usagef("--aws and --data: give one of the two")
	}
	o := account.Options{Profile: far.as.profile, Role: far.as.role}
	if far.region != "" {
		o.Regions = strings.Split(far.region, ",")[:1]
	}
	a, err := s.openAccount(ctx, o)
	if err != nil {
		return b, nil, usageError{err}
	}
	keeper, ok := a.(account.Bookkeeper)
	if !ok {
		return b, nil, errors.New("this account keeps no books")
	}
	b, err = keeper.Books(ctx)
	return b, func() error { return nil }, err
}
