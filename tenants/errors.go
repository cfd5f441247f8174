package tenants

import "errors"

// The few ways in which a question about tenants can fail. Whoever returns one wraps it with what was being
// done; each door maps it to its own codes.
var (
	// ErrNotFound says that there is no such thing, or none that the caller may know of.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that something of this name is there already. It comes as a [FieldError].
	ErrConflict = errors.New("already exists")
	// ErrInvalid says that a value breaks a rule. It comes as a [FieldError].
	ErrInvalid = errors.New("invalid")
	// ErrState says that the thing is in a state that does not allow this, such as revoked.
	ErrState = errors.New("not possible in this state")
	// ErrLimit says that the tenant or app has as many as it may have.
	ErrLimit = errors.New("limit reached")
	// ErrForbidden says that the caller may not do this to that. It comes as a [RefusalError].
	ErrForbidden = errors.New("not allowed")
	// ErrUnavailable says that the answer cannot be had at the moment, and that asking again may help.
	ErrUnavailable = errors.New("unavailable")
)

// FieldError is an error about one field of what the caller sent.
type FieldError struct {
	// Field is the field's name as the caller knows it, in lower_snake, with a path for what is nested.
	Field string
	// Reason tells a person what is wrong and what would be right. It is shown as it is.
	Reason string
	// Kind is one of the sentinels of this package.
	Kind error
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

func (e *FieldError) Unwrap() error { return e.Kind }

// Invalid returns a [FieldError] of kind [ErrInvalid].
func Invalid(field, reason string) error {
	return &FieldError{Field: field, Reason: reason, Kind: ErrInvalid}
}

// Conflict returns a [FieldError] of kind [ErrConflict].
func Conflict(field, reason string) error {
	return &FieldError{Field: field, Reason: reason, Kind: ErrConflict}
}

// RefusalError is an error that says why, in words for the person who asked.
type RefusalError struct {
	// Reason tells what is in the way and what helps. It is shown as it is.
	Reason string
	// Kind is one of the sentinels of this package.
	Kind error
}

func (e *RefusalError) Error() string { return e.Reason }

func (e *RefusalError) Unwrap() error { return e.Kind }

// Refuse returns a [RefusalError].
func Refuse(kind error, reason string) error { return &RefusalError{Reason: reason, Kind: kind} }

// What may be wrong with an origin, said after its text.
var (
	errPort    = errors.New("has a port that is not a number from 1 to 65535")
	errAddress = errors.New("has an address in brackets that is not one of IPv6")
	errStar    = errors.New("has a star in a place where none may be; it stands for the first label of a longer name, as in https://*.example.com")
	errHost    = errors.New("has a host with characters that no name has; write names outside of ASCII as browsers send them, beginning with xn--")
)
