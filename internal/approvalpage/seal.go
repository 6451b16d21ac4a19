package approvalpage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// minSecret is how many bytes a visitor's secret needs to be worth deriving from.
const minSecret = 16

// derive gives a key for one purpose; nil where the secret is too short.
func derive(v *Visitor, purpose string) []byte {
	if len(v.Secret) < minSecret {
		return nil
	}
	m := hmac.New(sha256.New, v.Secret)
	m.Write([]byte("plumbline approvals: " + purpose + "\x00" + v.Name))
	return m.Sum(nil)
}

// formToken is what a form of this visitor for a request must bring. "": no form
// is taken.
func formToken(v *Visitor, hashed string) string {
	key := derive(v, "form "+hashed)
	return base64.RawURLEncoding.EncodeToString(key)
}

// formed reports whether a form brings its token.
func formed(v *Visitor, hashed, token string) bool {
	want := formToken(v, hashed)
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(token)) == 1
}

func aead(v *Visitor) cipher.AEAD {
	key := derive(v, "address")
	if key == nil {
		return nil
	}
	block, err := aes.NewCipher(key)
	if err != nil { // the key has the length of AES-256's
		return nil
	}
	sealed, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil
	}
	return sealed
}

// seal makes an address of a request that is known by its hash alone: one that
// only this visitor's session can open, and that tells nothing of the hash. "":
// there is no secret to seal it with.
func seal(v *Visitor, hashed string) string {
	a := aead(v)
	src, err := hex.DecodeString(hashed)
	if a == nil || err != nil || len(src) != sha256.Size {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(a.Seal(nil, nil, src, nil))
}

// Lengths of what stands behind Path/: an id as approval.Desk gives it, and a
// sealed hash with its nonce and tag.
var (
	idLength     = base64.RawURLEncoding.EncodedLen(32)
	sealedLength = base64.RawURLEncoding.EncodedLen(12 + sha256.Size + 16)
)

// open gives the hash of an address that seal made for this visitor.
func open(v *Visitor, address string) (hashed string, ok bool) {
	a := aead(v)
	src, err := base64.RawURLEncoding.Strict().DecodeString(address)
	if a == nil || err != nil {
		return "", false
	}
	plain, err := a.Open(nil, nil, src, nil)
	if err != nil || len(plain) != sha256.Size {
		return "", false
	}
	return hex.EncodeToString(plain), true
}
