package tenants_test

import (
	"errors"
	"testing"

	"github.com/pealhq/peal/tenants"
)

// TestLimitsTogether tries limits that are harmless alone.
func TestLimitsTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		members, info int
		ok            bool
	}{{100, 1024, true}, {8192, 1024, true}, {10_000, 1024, false}, {512, 16 << 10, true}, {10_000, 16 << 10, false}} {
		l := tenants.DefaultLimits()
		l.PresenceMembers, l.MemberInfoBytes = c.members, c.info
		err := l.Check()
		var field *tenants.FieldError
		if (err == nil) != c.ok || (err != nil && (!errors.As(err, &field) || field.Field != "limits.presence_members")) {
			t.Errorf("%d members of %d bytes: %v", c.members, c.info, err)
		}
	}
}
