package nearest

import "testing"

func TestOf(t *testing.T) {
	words := []string{"requiredTags", "allowedRegions", "rules", "scope", "ports"}
	for _, tt := range []struct{ got, want string }{
		{"requird-tags", "requiredTags"},
		{"RequiredTags", "requiredTags"},
		{"allowed_region", "allowedRegions"},
		{"ruels", "rules"},
		{"prots", "ports"},
		{"port", "ports"},
		{"suppressions", ""},
		{"allow", "allowedRegions"},
		{"x", ""},
		{"", ""},
	} {
		if got := Of(tt.got, words); got != tt.want {
			t.Errorf("Of(%q) = %q, want %q", tt.got, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"kitten", "sitting", 3},
	} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := Distance(tt.b, tt.a); got != tt.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
