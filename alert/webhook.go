package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"plumbline/scan"
)

// WebhookVersion is the version of the document that a webhook gets. A field
// that is added leaves it; one that is removed or changes its meaning moves it.
const WebhookVersion = "1.0"

// Headers of a webhook's request.
const (
	HeaderKey       = "Idempotency-Key"     // the same each time that the message is sent
	HeaderTime      = "Plumbline-Timestamp" // seconds since 1970, when this request was signed
	HeaderSignature = "Plumbline-Signature" // v1= and what Sign returns
)

// Webhook is the message as a JSON document.
func Webhook(n scan.Notice) ([]byte, error) {
	return json.Marshal(struct {
		SchemaVersion string `json:"schemaVersion"`
		scan.Notice
	}{WebhookVersion, n})
}

// Key is a message's identity as a header may carry it: 64 hexadecimal digits.
func Key(n scan.Notice) string {
	sum := sha256.Sum256([]byte(n.ID))
	return hex.EncodeToString(sum[:])
}

// Sign returns the value of HeaderSignature: HMAC-SHA-256 by the secret of the
// time in seconds, a full stop and the body. The time is signed too, so that a
// receiver can refuse what somebody kept and sends again much later.
func Sign(secret []byte, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}
