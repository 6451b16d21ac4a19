// Package page is the look that the HTML report, the console and the approval
// page share: one stylesheet, dark and light, for screen and print.
package page

import _ "embed" // the stylesheet

// Style is the stylesheet. A page that must stand alone carries it in its head;
// a server serves it as a file, so that no page of its needs inline styles.
//
//go:embed style.css
var Style string
