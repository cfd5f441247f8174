package tenants_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants"
)

// TestCodesOfTheSecondFactor has the vectors of RFC 6238, appendix B, in their last six digits.
func TestCodesOfTheSecondFactor(t *testing.T) {
	seed := tenants.NewSecret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") // "12345678901234567890"
	for at, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		step := at / 30
		for drift, ok := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
			if at+30*drift < 0 {
				continue
			}
			got, err := tenants.CodeStep(seed, code, time.Unix(at+30*drift, 0), 0)
			if err != nil || (got == step) != ok || (!ok && got != 0) {
				t.Errorf("the code of %d, %d steps later: step %d, %v", at, drift, got, err)
			}
		}
		if got, err := tenants.CodeStep(seed, code, time.Unix(at, 0), step); got != 0 || err != nil {
			t.Errorf("the code of %d is good twice: %d, %v", at, got, err)
		}
		if got, _ := tenants.CodeStep(seed, code[:3]+" "+code[3:], time.Unix(at, 0), step-1); got != step {
			t.Errorf("the code of %d with a space is not good", at)
		}
	}
	for _, code := range []string{"", "0", "28708", "2870820", "２８７０８２"} {
		if got, err := tenants.CodeStep(seed, code, time.Unix(59, 0), 0); got != 0 || err != nil {
			t.Errorf("%q: %d, %v", code, got, err)
		}
	}
	if got := tenants.NewSeed().Reveal(); len(got) != 32 {
		t.Errorf("a seed of %d characters is not 160 bits", len(got))
	}
}

func TestRecoveryCodes(t *testing.T) {
	user := uuid.New()
	codes := tenants.NewRecoveryCodes()
	seen := map[string]bool{}
	for _, c := range codes {
		text := c.Reveal()
		if !regexp.MustCompile(`^([a-z2-7]{4}-){3}[a-z2-7]{4}$`).MatchString(text) || seen[text] {
			t.Errorf("code %q", text)
		}
		seen[text] = true
		hash := tenants.HashRecoveryCode(user, text)
		if !slices.Equal(hash, tenants.HashRecoveryCode(user, "  "+strings.ToUpper(strings.ReplaceAll(text, "-", " ")))) {
			t.Errorf("%q typed otherwise is another", text)
		}
		if slices.Equal(hash, tenants.HashRecoveryCode(uuid.New(), text)) {
			t.Error("the hash is the same for two users")
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d codes", len(seen))
	}
}

func TestAPITokensAreRandomText(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		text := tenants.NewAPIToken().Reveal()
		if !regexp.MustCompile(`^peal_[0-9A-Za-z]{43}$`).MatchString(text) || seen[text] {
			t.Fatalf("token %q", text)
		}
		seen[text] = true
	}
}

func TestRolesGrowFromViewerToOwner(t *testing.T) {
	roles := tenants.Roles()
	for i := 1; i < len(roles); i++ {
		for _, p := range roles[i].Permissions() {
			if !roles[i-1].May(p) {
				t.Errorf("%s may %s, and %s may not", roles[i], p, roles[i-1])
			}
		}
	}
	for _, c := range []struct {
		who, other tenants.Role
		may        bool
	}{
		{tenants.RoleOwner, tenants.RoleOwner, true},
		{tenants.RoleOwner, tenants.RoleViewer, true},
		{tenants.RoleAdmin, tenants.RoleAdmin, true},
		{tenants.RoleAdmin, tenants.RoleOwner, false},
		{tenants.RoleDeveloper, tenants.RoleViewer, false},
		{tenants.RoleViewer, tenants.RoleViewer, false},
		{"", tenants.RoleViewer, false},
		{tenants.RoleOwner, "emperor", false},
	} {
		if got := c.who.MayMake(c.other); got != c.may {
			t.Errorf("%q makes %q: %v", c.who, c.other, got)
		}
	}
}
