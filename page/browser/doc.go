// Package browser tests the page in a real browser. It is a module of
// its own, so that users of the library do not download a browser's driver.
//
// The tests need chromium (Debian: apt-get install chromium) and fail where
// there is none.
package browser
