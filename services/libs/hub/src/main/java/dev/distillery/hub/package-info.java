/** Repositories of a Hugging Face Hub, or of a mirror of it: read at a commit, and written to in one commit. */
package dev.distillery.hub;
