package awsaccount

import (
	"errors"
	"net"
	"strings"

	"github.com/aws/smithy-go"
)

// explained is an error of the SDK in a person's words.
type explained struct {
	says string
	err  error
}

func (e *explained) Error() string { return e.says }
func (e *explained) Unwrap() error { return e.err }

// explain says what was tried, and of an error of AWS what it means and what to
// do, or else what the service says. Another error stays as it is.
func explain(err error) error {
	if err == nil {
		return nil
	}
	why := reason(err)
	if why == err.Error() {
		return err
	}
	if permission(err.Error()) != "" {
		why += ". \"plumbline doctor\" tries all that a scan needs"
	}
	// What our own code says of it stands before the SDK's part.
	tried, _, _ := strings.Cut(err.Error(), "operation error ")
	return &explained{tried + why, err}
}

// reason is an error as a person needs it: what is missing, and what to do.
func reason(err error) string {
	var operation *smithy.OperationError
	var api smithy.APIError
	switch action := permission(err.Error()); action {
	case "":
	case "sts:AssumeRole":
		return "the role cannot be assumed: permission sts:AssumeRole is missing, or the role's trust policy does not let you"
	default:
		return "permission " + action + " is missing"
	}
	if errors.As(err, &api) {
		switch code := api.ErrorCode(); {
		case strings.Contains(code, "Expired"):
			return "the credentials have expired. sign in again, for instance by \"aws sso login\""
		case code == "OptInRequired":
			return "the region is not enabled for this account, or the service is not. enable it, or leave the region out"
		case code == "InvalidClientTokenId", code == "UnrecognizedClientException", code == "AuthFailure":
			return "the credentials are of no account, or the region is not enabled for it. sign in again, enable the region, or leave it out"
		case code == "SignatureDoesNotMatch", code == "RequestTimeTooSkewed", code == "InvalidSignatureException":
			return code + ": the secret key is not the one of the access key, or this machine's clock is wrong"
		}
		return api.ErrorCode() + ": " + strings.TrimRight(api.ErrorMessage(), ".")
	}
	var lookup *net.DNSError
	switch {
	case strings.Contains(err.Error(), "no EC2 IMDS role found"):
		return "no credentials were found. give --profile, set AWS_PROFILE, or sign in"
	case errors.As(err, &lookup):
		return "there is no " + lookup.Name + ", or no network. is the region written right?"
	case errors.As(err, &operation) && strings.Contains(err.Error(), "get credentials"):
		return "no credentials: " + strings.TrimPrefix(operation.Unwrap().Error(), "get identity: get credentials: ")
	}
	return err.Error()
}

// permission is the action that a message of AWS says is not allowed; "": it names none.
func permission(message string) string {
	_, after, ok := strings.Cut(message, "not authorized to perform: ")
	if !ok {
		return ""
	}
	action, _, _ := strings.Cut(after, " ")
	return strings.TrimRight(action, ".,")
}
