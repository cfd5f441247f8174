package pusher

import "iter"

// What a signed query says besides its signature. Keys are lower-cased and everything is decoded once, as it was
// for the signature, so that what is read is what was signed.

// Param returns the value of a parameter that is no array, and whether it was sent.
func (r *SignedRequest) Param(name string) (value string, sent bool) {
	for _, p := range r.params {
		if p.key == name {
			return p.value, true
		}
	}
	return "", false
}

// Array walks the values of an array in the order in which they were sent: Ruby writes name[]=a, PHP name[0]=a.
func (r *SignedRequest) Array(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range r.params {
			if p.array() && p.base() == name && !yield(p.value) {
				return
			}
		}
	}
}
