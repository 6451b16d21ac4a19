package cloudcontrol_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"
	"github.com/aws/smithy-go"

	own "plumbline/internal/cloudcontrol"
	"plumbline/internal/memory"
	"plumbline/remedy/live"
	"plumbline/remedy/live/livetest"
)

// service speaks Cloud Control's API over resources in memory: its exceptions,
// its statuses, its pages.
type service struct {
	resources memory.Resources
	fail      error // of the next call
	status    map[string]*types.ProgressEvent
}

func (s *service) failed() error {
	err := s.fail
	s.fail = nil
	return err
}

func text(err error) *string { return aws.String(err.Error()) }

// exception is the service's word for an error of the resources.
func exception(err error) error {
	var refused *live.Refused
	switch {
	case errors.Is(err, live.ErrGone):
		return &types.ResourceNotFoundException{Message: text(err)}
	case errors.Is(err, live.ErrBusy):
		return &types.ConcurrentOperationException{Message: text(err)}
	case errors.As(err, &refused) && refused.Code == "ClientTokenConflict":
		return &types.ClientTokenConflictException{Message: text(err)}
	}
	return err
}

func (s *service) GetResource(ctx context.Context, in *cloudcontrol.GetResourceInput, _ ...func(*cloudcontrol.Options)) (*cloudcontrol.GetResourceOutput, error) {
	if err := s.failed(); err != nil {
		return nil, err
	}
	model, err := s.resources.Get(ctx, *in.TypeName, *in.Identifier)
	if err != nil {
		return nil, exception(err)
	}
	return &cloudcontrol.GetResourceOutput{TypeName: in.TypeName, ResourceDescription: &types.ResourceDescription{Identifier: in.Identifier, Properties: aws.String(string(model))}}, nil
}

func (s *service) UpdateResource(ctx context.Context, in *cloudcontrol.UpdateResourceInput, _ ...func(*cloudcontrol.Options)) (*cloudcontrol.UpdateResourceOutput, error) {
	if err := s.failed(); err != nil {
		return nil, err
	}
	p, err := s.resources.Update(ctx, *in.TypeName, *in.Identifier, []byte(*in.PatchDocument), *in.ClientToken)
	if err != nil {
		return nil, exception(err)
	}
	e := &types.ProgressEvent{TypeName: in.TypeName, Identifier: in.Identifier, RequestToken: &p.Request, Operation: types.OperationUpdate}
	switch p.State {
	case live.Pending:
		e.OperationStatus = types.OperationStatusInProgress
	case live.Succeeded:
		e.OperationStatus = types.OperationStatusSuccess
	default:
		e.OperationStatus, e.ErrorCode, e.StatusMessage = types.OperationStatusFailed, types.HandlerErrorCode(p.Code), &p.Message
	}
	if s.status == nil {
		s.status = map[string]*types.ProgressEvent{}
	}
	s.status[p.Request] = e
	return &cloudcontrol.UpdateResourceOutput{ProgressEvent: e}, nil
}

func (s *service) GetResourceRequestStatus(_ context.Context, in *cloudcontrol.GetResourceRequestStatusInput, _ ...func(*cloudcontrol.Options)) (*cloudcontrol.GetResourceRequestStatusOutput, error) {
	e := s.status[*in.RequestToken]
	if e == nil {
		return nil, &types.RequestTokenNotFoundException{Message: in.RequestToken}
	}
	return &cloudcontrol.GetResourceRequestStatusOutput{ProgressEvent: e}, nil
}

// ListResourceRequests gives one request a page.
func (s *service) ListResourceRequests(ctx context.Context, in *cloudcontrol.ListResourceRequestsInput, _ ...func(*cloudcontrol.Options)) (*cloudcontrol.ListResourceRequestsOutput, error) {
	other := types.ProgressEvent{TypeName: aws.String("AWS::SQS::Queue"), Identifier: aws.String("another"), OperationStatus: types.OperationStatusPending}
	if in.NextToken == nil {
		return &cloudcontrol.ListResourceRequestsOutput{ResourceRequestStatusSummaries: []types.ProgressEvent{other}, NextToken: aws.String("2")}, nil
	}
	out := &cloudcontrol.ListResourceRequestsOutput{}
	if busy, err := s.resources.Busy(ctx, livetest.Type, livetest.Identifier); err != nil || busy {
		out.ResourceRequestStatusSummaries = []types.ProgressEvent{{TypeName: aws.String(livetest.Type), Identifier: aws.String(livetest.Identifier), OperationStatus: types.OperationStatusInProgress}}
	}
	return out, nil
}

func newService(delay int) *service {
	s := &service{}
	s.resources.Delay = delay
	s.resources.Put(livetest.Type, livetest.Identifier, []byte(livetest.Model))
	return s
}

func TestContract(t *testing.T) {
	for _, delay := range []int{0, 3} {
		livetest.Resources(t, func(*testing.T) live.Resources { return own.New(newService(delay)) })
	}
}

const patch = `[{"op":"replace","path":"/VisibilityTimeout","value":60}]`

func TestErrors(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "explicit deny in a service control policy"}
	for name, tc := range map[string]struct {
		fail error
		want error
		code string
	}{
		"throttled":           {&types.ThrottlingException{Message: aws.String("slow down")}, live.ErrThrottled, ""},
		"another request":     {&types.ConcurrentOperationException{}, live.ErrBusy, ""},
		"changed meanwhile":   {&types.ConcurrentModificationException{}, live.ErrBusy, ""},
		"gone":                {&types.ResourceNotFoundException{}, live.ErrGone, ""},
		"not updatable":       {&types.NotUpdatableException{}, nil, "NotUpdatable"},
		"no handler":          {&types.UnsupportedActionException{}, nil, "UnsupportedAction"},
		"denied":              {denied, nil, "AccessDenied"},
		"exists already":      {&types.AlreadyExistsException{}, nil, "AlreadyExists"},
		"token used":          {&types.ClientTokenConflictException{}, nil, "ClientTokenConflict"},
		"a fault of its own":  {&types.ServiceInternalErrorException{Message: aws.String("oops")}, nil, ""},
		"no error of the API": {errors.New("connection reset"), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(0)
			s.fail = tc.fail
			_, err := own.New(s).Update(context.Background(), livetest.Type, livetest.Identifier, []byte(patch), "t")
			var refused *live.Refused
			switch {
			case err == nil:
				t.Fatal("no error")
			case tc.want != nil && !errors.Is(err, tc.want):
				t.Errorf("%v is not %v", err, tc.want)
			case (tc.code != "") != errors.As(err, &refused) || tc.code != "" && refused.Code != tc.code:
				t.Errorf("%v is refused as %v, want %q", err, refused, tc.code)
			case !strings.Contains(err.Error(), "update "+livetest.Type) && refused == nil:
				t.Errorf("%v does not say what was done", err)
			}
		})
	}
}

func TestUpdateGoesOn(t *testing.T) {
	ctx := context.Background()
	s := newService(2)
	r := own.New(s)
	p, err := r.Update(ctx, livetest.Type, livetest.Identifier, []byte(patch), "t")
	if err != nil || p.State != live.Pending {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := r.Update(ctx, livetest.Type, livetest.Identifier, []byte(patch), "another"); !errors.Is(err, live.ErrBusy) {
		t.Errorf("a second request: %v", err)
	}
	if busy, err := r.Busy(ctx, livetest.Type, livetest.Identifier); err != nil || !busy {
		t.Errorf("busy: %v %v", busy, err)
	}
	if busy, err := r.Busy(ctx, livetest.Type, "idle"); err != nil || busy {
		t.Errorf("another resource is busy: %v %v", busy, err)
	}
	s = newService(0)
	s.resources.Refuse = func(string, string) (string, string) { return "NotUpdatable", "create-only" }
	if p, err = own.New(s).Update(ctx, livetest.Type, livetest.Identifier, []byte(patch), "t"); err != nil || p.State != live.Failed || p.Code != "NotUpdatable" {
		t.Errorf("%+v %v", p, err)
	}
}
