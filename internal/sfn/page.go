package sfn

import (
	"encoding/base64"
	"strings"
)

// pageInput is what all lists are asked with.
type pageInput struct {
	MaxResults int
	NextToken  string
}

// page is the part of a list that is wanted. Tokens say which entry was the
// last, not how many there were: what is added meanwhile does not shift them.
type page struct {
	kind  string
	after string // the key of the last entry of the page before; "" for the first page
	size  int
}

// page checks the request. kind keeps the tokens of one list from another.
func (in *pageInput) page(kind string) (page, error) {
	var l limits
	l.between("maxResults", in.MaxResults, 0, maxPage)
	if err := l.err(); err != nil {
		return page{}, err
	}
	p := page{kind: kind, size: in.MaxResults}
	if p.size == 0 {
		p.size = defaultPage
	}
	if in.NextToken != "" {
		b, err := base64.RawURLEncoding.DecodeString(in.NextToken)
		after, ok := strings.CutPrefix(string(b), kind+"\n")
		if err != nil || !ok {
			return page{}, invalidToken()
		}
		p.after = after
	}
	return p, nil
}

func (p page) token(after string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.kind + "\n" + after))
}

// list answers with one page of n entries, which key orders and write writes.
func (p page) list(name string, n int, key func(int) string, write func(*object, int)) []byte {
	return p.listBy(name, n, key, strings.Compare, write)
}

// listBy is list where another order than the keys' own holds.
func (p page) listBy(name string, n int, key func(int) string, compare func(a, b string) int, write func(*object, int)) []byte {
	first := 0
	if p.after != "" {
		for first < n && compare(key(first), p.after) <= 0 {
			first++
		}
	}
	last := min(n, first+p.size)
	out := newObject()
	out.key(name)
	out.b = append(out.b, '[')
	for i := first; i < last; i++ {
		if i > first {
			out.b = append(out.b, ',')
		}
		o := open(out.b)
		write(&o, i)
		out.b = o.close()
	}
	out.b = append(out.b, ']')
	if last < n {
		out.text("nextToken", p.token(key(last-1)))
	}
	return out.close()
}
