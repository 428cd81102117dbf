"use strict";
// CRC-32 (as in zip) of a text in UTF-8, as a whole number from 0 to 2^32 - 1. It shows that a file was damaged or
// changed by hand; it is no protection against somebody who wants to forge one.

function crc32(text) {
  let rest = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

// What the checksum of a session is taken of; study/answers.py builds the same text.
function sessionText(study, session) {
  const answers = session.answers.map((each) => `${each.trial} ${each.answer} ${each.ms} ${each.plays}`);
  const platform = Object.keys(session.platform).sort().map((name) => `${name}=${session.platform[name]}`);
  return [study, session.session, session.rater, platform.join(" "), session.list, ...answers].join("\n");
}

function hex(number) {
  return number.toString(16).padStart(8, "0");
}
