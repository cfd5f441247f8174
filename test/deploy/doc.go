// Package deploy holds what is in the folder deploy against running programs: a platform of two edges behind the HAProxy
// configuration that we ship. It has tests alone.
package deploy
