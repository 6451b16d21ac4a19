package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"plumbline/internal/page"
)

//go:embed assets
var assets embed.FS

// asset is a file that pages refer to, under an address that changes with it.
type asset struct {
	kind string
	body []byte
	hash string
}

// files are the files that pages refer to, by name.
var files = sync.OnceValue(func() map[string]asset {
	out := map[string]asset{"page.css": {kind: "text/css; charset=utf-8", body: []byte(page.Style)}}
	for name, kind := range map[string]string{"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		body, err := assets.ReadFile("assets/" + name)
		if err != nil {
			continue // they are embedded: TestFiles asks for each
		}
		out[name] = asset{kind: kind, body: body}
	}
	for name, a := range out {
		sum := sha256.Sum256(a.body)
		a.hash = hex.EncodeToString(sum[:6])
		out[name] = a
	}
	return out
})

// file is the address of a file, which changes with its content.
func file(name string) string { return "/static/" + name + "?" + files()[name].hash }

// static serves a file by its name among those that there are: no path of the
// disk is made of what was asked for.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	a, ok := files()[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	if r.URL.RawQuery == a.hash {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	h.Set("ETag", `"`+a.hash+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

// picture serves an SVG that was just drawn.
func picture(w http.ResponseWriter, r *http.Request, svg []byte) {
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Security-Policy", picturePolicy)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(svg))
}

// view is what a page is filled with.
type view struct {
	name    string // of the template
	Title   string
	Path    string
	Version string
	Folder  string
	AsOf    time.Time // of the latest scan whose findings are shown
	Stale   bool
	Data    any
}

// At reports whether a page is the one of this path or below it.
func (v *view) At(path string) bool {
	return v.Path == path || path != "/" && strings.HasPrefix(v.Path, path+"/")
}

// views are the parsed templates, one a page, each with the frame around it.
type views struct{ pages map[string]*template.Template }

func newViews() (*views, error) {
	frame, err := template.New("frame.tmpl").Funcs(functions).ParseFS(assets, "assets/frame.tmpl", "assets/parts.tmpl")
	if err != nil {
		return nil, err
	}
	v := &views{pages: map[string]*template.Template{}}
	for _, name := range []string{"overview", "findings", "finding", "rules", "rule", "framework", "executions", "execution", "approvals", "problem"} {
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(assets, "assets/"+name+".tmpl")
		}
		if err != nil {
			return nil, err
		}
		v.pages[name] = t
	}
	return v, nil
}

// write fills a page before the first byte leaves, so that an error is a page of
// its own and not the torn end of another.
func (v *views) write(w http.ResponseWriter, r *http.Request, status int, x *view) error {
	var b bytes.Buffer
	if err := v.pages[x.name].ExecuteTemplate(&b, "frame.tmpl", x); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // a reader that has gone is no error
	}
	return nil
}
