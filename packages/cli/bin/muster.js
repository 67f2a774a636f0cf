#!/usr/bin/env node
import "../src/entry.ts";
