/** Repositories of a Hugging Face Hub, or of a mirror of it: which files there are, and their bytes. */
package dev.distillery.dataingest.source.hub;
