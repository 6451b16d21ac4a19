package account

import (
	"context"
	"net/http"
)

// Signer signs requests to API Gateway as the account's principal, so that the
// page there knows who asks. An Account may be one.
type Signer interface {
	// Sign adds Signature Version 4 for execute-api in a region to a request with
	// this body.
	Sign(ctx context.Context, r *http.Request, body []byte, region string) error
}
