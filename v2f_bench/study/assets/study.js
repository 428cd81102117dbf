"use strict";
// The study's page. It shows one question after the other, keeps each answer before it goes on, and ends with a
// completion code. Where `study serve` gives it out (data-answers="server"), each answer is also sent there and the page
// goes on when the server has it; elsewhere the answers are downloaded as a file at the end.

(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const served = document.documentElement.dataset.answers === "server";
  const query = new URLSearchParams(location.search);
  const PARAMETERS = ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "workerId", "assignmentId", "hitId"];
  const CODE = /^[A-Za-z0-9_-]{1,64}$/;
  const PROLIFIC_DONE = "https://app.prolific.com/submissions/complete?cc=";
  const TOO_SOON = 250; // ms in which an answer is taken for a second tap on the question before

  const at = (id) => document.getElementById(id);
  const sound = new Audio();
  const film = at("film");

  let storage; // where the session is kept
  let place; // ... and under which key
  let session; // study, session, rater, platform, list, answers, complete
  let question; // the one on the screen: trial, player, shown (time), heard, plays, answered
  let ahead = []; // media of the next question, loaded already

  // ---------------------------------------------------------------- screens

  function show(id) {
    for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
    if (id !== "trial") stopPlaying();
    scrollTo(0, 0);
    at(id).querySelector("h1").focus({ preventScroll: true });
  }

  function say(id, text) {
    at(id).textContent = text;
  }

  function fill(id, paragraphs) {
    at(id).replaceChildren(
      ...paragraphs.map((text) => Object.assign(document.createElement("p"), { textContent: text })),
    );
  }

  function problem(text, again) {
    say("problem-text", text);
    at("retry").onclick = again;
    show("problem");
  }

  // ---------------------------------------------------------------- who, and which list

  const platform = Object.fromEntries(
    PARAMETERS.filter((name) => CODE.test(query.get(name) ?? "")).map((name) => [name, query.get(name)]),
  );
  const isPreview = query.get("assignmentId") === "ASSIGNMENT_ID_NOT_AVAILABLE";
  const given = [query.get("rater"), platform.PROLIFIC_PID, platform.workerId].find((code) => CODE.test(code ?? ""));

  function randomHex(bytes) {
    return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => hex(byte).slice(6)).join("");
  }

  // The list that the link asks for, by its number or by the rater's code, which begins with one; or null.
  function askedList() {
    const asked = [query.get("list"), /^(\d{2,})-/.exec(given ?? "")?.[1]].map(Number);
    return asked.find((number) => Number.isInteger(number) && number >= 1 && number <= study.lists.length) ?? null;
  }

  function chooseList() {
    return askedList() ?? (crc32(given ?? randomHex(8)) % study.lists.length) + 1;
  }

  // ---------------------------------------------------------------- the server

  async function post(path, content) {
    const reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ study: study.id, ...content }),
      signal: AbortSignal.timeout?.(15000),
    });
    const found = await reply.json();
    if (!reply.ok) throw Object.assign(new Error(found.error), { status: reply.status });
    return found;
  }

  // Sends until the server has it: a server that is started again, or a network that comes back, costs some seconds.
  async function postUntilSaved(path, content) {
    for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
      try {
        return await post(path, content);
      } catch (error) {
        if (error.status >= 400 && error.status < 500) throw error;
        say("status", "Your answer is not saved yet: the server does not reply. Trying again …");
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  // The session as the server knows it, with answers that only this browser has sent on.
  async function meetServer(kept) {
    const rater = kept?.rater ?? given ?? (at("code-entry").hidden ? null : at("rater-code").value.trim());
    const found = await post("api/session", { rater, platform, list: askedList() });
    const joined = { study: study.id, platform, complete: false, ...found };
    const saved = new Set(joined.answers.map((each) => each.trial));
    for (const each of kept?.session === joined.session ? kept.answers : []) {
      if (!saved.has(each.trial)) await send(joined, each);
    }
    joined.complete = joined.answers.length === questions(joined).length;
    return joined;
  }

  async function send(to, answer) {
    await postUntilSaved("api/answer", { rater: to.rater, session: to.session, ...answer });
    if (!to.answers.includes(answer)) to.answers.push(answer);
  }

  // ---------------------------------------------------------------- from the beginning to the first question

  const questions = (of) => study.lists[of.list - 1].trials;

  async function start() {
    try {
      storage = await SessionStore.open("v2f-bench-study");
      place = `${study.id}/${given ?? ""}`;
      const kept = await storage.get(place);
      if (kept && served) return resume(await meetServer(kept));
      if (kept) return resume(kept);
      consent();
    } catch (error) {
      problem(`The study cannot be opened: ${error.message}.`, () => location.reload());
    }
  }

  function resume(kept) {
    session = kept;
    if (session.complete) return finish();
    if (!session.answers.length) return consent();
    say("back-text", `You have answered ${session.answers.length} of ${questions(session).length} questions.`);
    at("anew").hidden = given !== undefined;
    at("go-on").onclick = () => instruct();
    at("anew").onclick = async () => {
      await storage.delete(place);
      session = undefined;
      consent();
    };
    show("back");
  }

  function consent() {
    const count = study.lists[0].trials.length;
    at("consent").querySelector("h1").textContent = study.title;
    say("facts", `${count} questions · about ${study.minutes} minutes`);
    fill("consent-text", study.consent);
    say("agree-text", study.agree);
    at("preview").hidden = !isPreview;
    at("agreement").hidden = isPreview;
    at("agree").checked = false;
    at("begin").disabled = true;
    at("agree").onchange = () => (at("begin").disabled = !at("agree").checked);
    at("code-entry").hidden = document.documentElement.dataset.codes !== "required" || given !== undefined;
    at("begin").onclick = begin;
    show("consent");
  }

  async function begin() {
    at("begin").disabled = true;
    try {
      if (served) session = await meetServer(session);
      else {
        const fresh = { study: study.id, rater: given ?? randomHex(4), platform, list: chooseList(), answers: [] };
        session ??= { ...fresh, session: randomHex(8), complete: false };
      }
      await storage.put(place, session);
      if (session.complete) finish();
      else instruct();
    } catch (error) {
      problem(`The study cannot begin: ${error.message}.`, consent);
    }
  }

  function instruct() {
    fill("instructions-text", study.instructions);
    const hears = questions(session).some((trial) => trial.voice || trial.film);
    at("tone-check").hidden = !hears;
    at("start").disabled = hears;
    say("start-note", hears ? "You can start when you have played the test sound." : "");
    if (storage.kind === "memory") {
      say("start-note", "This browser keeps nothing (private window?): do not reload the page before you are done.");
    }
    at("tone").onclick = () => {
      sound.src = "tone.wav";
      sound.onended = () => {
        at("start").disabled = false;
        say("start-note", "Did you hear the tone? Then start. If not, turn the volume up and play it again.");
      };
      sound.onerror = () => say("start-note", "The sound cannot be played here. Please try another browser.");
      sound.play().catch(() => sound.onerror?.());
    };
    at("start").onclick = next;
    preload(questions(session)[session.answers.length]);
    show("instructions");
  }

  // ---------------------------------------------------------------- a question

  function next() {
    const done = new Set(session.answers.map((each) => each.trial));
    const trial = questions(session).find((each) => !done.has(each.id));
    if (trial) ask(trial).catch((error) => problem(`A question cannot be shown: ${error.message}.`, next));
    else finish();
  }

  async function ask(trial) {
    const list = study.lists[session.list - 1];
    const number = session.answers.length + 1;
    const asked = { trial, player: trial.film ? film : trial.voice ? sound : null, heard: false, plays: 0 };
    asked.heard = asked.player === null;
    question = asked;
    stopPlaying();
    at("bar").max = list.trials.length;
    at("bar").value = number - 1;
    say("count", `Question ${number} of ${list.trials.length}`);
    say("question", trial.question ?? study.question);
    say("status", "");
    const pictures = (trial.pictures ?? []).map((source, side) =>
      Object.assign(new Image(), { src: source, alt: study.pictureNames[side] ?? "", draggable: false }),
    );
    drawAnswers(list.answers, study.sides ? pictures : []);
    at("pictures").replaceChildren(...(study.sides ? [] : pictures));
    at("pictures").classList.toggle("single", pictures.length === 1);
    drawPlayer(asked);
    await Promise.all(pictures.map((picture) => picture.decode()));
    if (question !== asked) return;
    show("trial");
    asked.shown = performance.now();
    allowAnswers();
    preload(list.trials[number]);
    if (asked.player && session.played) play();
  }

  // Buttons of the answers: of the sides left and right, the faces themselves are the buttons.
  function drawAnswers(answers, faces) {
    const keys = study.sides ? ["←", ...(answers.length === 3 ? ["↓"] : []), "→"] : answers.map((_, n) => `${n + 1}`);
    const buttons = answers.map(({ value, label }, number) => {
      const button = Object.assign(document.createElement("button"), { type: "button", disabled: true });
      button.dataset.value = value;
      button.setAttribute("aria-keyshortcuts", { "←": "ArrowLeft", "→": "ArrowRight", "↓": "ArrowDown" }[keys[number]] ?? keys[number]);
      const face = { left: faces[0], right: faces[1] }[value];
      if (face) {
        button.classList.add("face");
        button.append(face);
      }
      const text = Object.assign(document.createElement("span"), { textContent: `${label} ` });
      const key = Object.assign(document.createElement("kbd"), { textContent: keys[number], ariaHidden: "true" });
      text.append(key);
      button.append(text);
      button.onclick = () => answer(value);
      return button;
    });
    at("answers").replaceChildren(...buttons);
    const columns = answers.length % 3 === 0 || answers.length === 5 ? "three" : "";
    at("answers").className = faces.length ? `faces ${columns}` : answers.length > 3 ? `many ${columns}` : "";
    const hint = study.sides ? `${keys.join(" ")} answer` : `1 to ${answers.length} answer`;
    say("keys", `Keys: ${hint}${question.player ? ", space plays" : ""}`);
  }

  function allowAnswers() {
    for (const button of at("answers").children) button.disabled = !question.heard || question.answered;
    if (!question.heard) {
      say("status", question.player === film ? "Watch it to the end, then choose." : "Listen to the end, then choose.");
    } else if (question.player) say("status", "You can choose now.");
  }

  async function answer(value) {
    const asked = question;
    const ms = Math.round(performance.now() - asked.shown);
    if (!asked.heard || asked.answered || ms < TOO_SOON) return;
    asked.answered = true;
    for (const button of at("answers").children) {
      button.disabled = true;
      button.classList.toggle("chosen", button.dataset.value === value);
    }
    const given = { trial: asked.trial.id, answer: value, ms, plays: asked.plays };
    try {
      await keep(given);
      next();
    } catch (error) {
      problem(`Your answer could not be saved: ${error.message}.`, () => location.reload());
    }
  }

  // The answer is in the browser's data base, and where there is a server there too, before the next question comes.
  async function keep(given) {
    const stored = await storage.get(place);
    if (stored && (stored.session !== session.session || stored.answers.length > session.answers.length)) {
      throw new Error("the study is open in another window of this browser; go on there, or try again here");
    }
    const ready = { ...session, answers: [...session.answers, given] };
    ready.complete = ready.answers.length === questions(ready).length;
    await storage.put(place, ready);
    if (served) await send(session, given);
    session = ready;
  }

  // ---------------------------------------------------------------- sound and film

  function drawPlayer(asked) {
    at("sound").hidden = asked.player === null;
    film.hidden = asked.player !== film;
    if (asked.player === null) return;
    asked.player.src = asked.trial.film ?? asked.trial.voice;
    asked.player.onplaying = () => drawPlaying(true);
    asked.player.onpause = () => drawPlaying(false);
    asked.player.ontimeupdate = () => {
      const share = asked.player.currentTime / asked.player.duration;
      at("heard-bar").style.width = `${100 * (Number.isFinite(share) ? share : 0)}%`;
    };
    asked.player.onended = () => {
      drawPlaying(false);
      at("heard-bar").style.width = "100%";
      asked.heard = true;
      if (question === asked && !asked.answered) allowAnswers();
    };
    asked.player.onerror = () => say("status", "This cannot be played. Check your connection and press Play again.");
    at("heard-bar").style.width = "0";
    drawPlaying(false);
  }

  function drawPlaying(on) {
    const what = question?.player === film ? "film" : "voice";
    at("play").classList.toggle("playing", on);
    say("play-label", on ? "Playing …" : question?.plays ? "Play again" : `Play the ${what}`);
  }

  function play() {
    const { player } = question;
    if (!player || question.answered) return;
    if (player.error) player.load();
    player.currentTime = 0;
    const asked = question;
    player.play().then(
      () => {
        asked.plays += 1;
        session.played = true;
      },
      (error) => {
        // Before the first press of Play some browsers play nothing by themselves: the button is there.
        if (error.name !== "NotAllowedError" && error.name !== "AbortError") player.onerror?.();
      },
    );
  }

  function stopPlaying() {
    for (const player of [sound, film]) {
      player.pause();
      player.onended = player.onerror = player.ontimeupdate = player.onplaying = player.onpause = null;
    }
  }

  function preload(trial) {
    if (!trial) return;
    ahead = (trial.pictures ?? []).map((source) => Object.assign(new Image(), { src: source }));
    if (trial.voice) ahead.push(Object.assign(new Audio(), { preload: "auto", src: trial.voice }));
    if (trial.film) ahead.push(Object.assign(document.createElement("video"), { preload: "auto", src: trial.film }));
  }

  // ---------------------------------------------------------------- the end

  function finish() {
    const code = study.completion.code || hex(crc32(`${sessionText(study.id, session)}\ndone`)).toUpperCase();
    const fromProlific = session.platform.PROLIFIC_PID && study.completion.code;
    const target = study.completion.redirect || (fromProlific ? PROLIFIC_DONE + encodeURIComponent(code) : "");
    say("done-text", served ? "All of your answers are saved." : "You have answered all questions. One step is left:");
    at("download-part").hidden = at("send-text").hidden = served;
    const to = study.contact ? ` to ${study.contact}` : " to the person who gave you this link";
    const holds = Object.keys(session.platform).length ? "your answers and your participant number" : "your answers";
    say("send-text", `Save the file and send it${to}. It holds ${holds} and nothing else about you.`);
    say("code", code);
    at("redirect-part").hidden = !target;
    at("redirect").textContent = fromProlific && !study.completion.redirect ? "Return to Prolific" : "Continue";
    at("redirect").href = target || "#";
    say("credit", `Faces and voices: ${study.credit}`);
    at("download").onclick = () => download();
    at("copy").onclick = () =>
      navigator.clipboard?.writeText(code).then(
        () => say("done-status", "Copied."),
        () => getSelection().selectAllChildren(at("code")),
      ) ?? getSelection().selectAllChildren(at("code"));
    at("forget").onclick = async () => {
      await storage.delete(place);
      session = undefined;
      consent();
    };
    show("done");
  }

  function download() {
    const { platform, rater, list, answers } = session;
    const content = {
      format: "v2f-bench study answers",
      version: 1,
      study: study.id,
      session: session.session,
      rater,
      platform,
      list,
      answers,
      checksum: hex(crc32(sessionText(study.id, session))),
    };
    const address = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: `answers-${study.id}-${session.session}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    say("done-status", "Saved to your downloads.");
  }

  async function withdraw() {
    try {
      if (served) await post("api/withdraw", { rater: session.rater, session: session.session });
      await storage.delete(place);
      session = undefined;
      show("withdrawn");
    } catch (error) {
      problem(`Your answers could not be deleted: ${error.message}.`, withdraw);
    }
  }

  // ---------------------------------------------------------------- buttons and keys

  at("play").onclick = film.onclick = play;
  at("stop").onclick = () => show("withdraw");
  at("stay").onclick = next;
  at("delete").onclick = withdraw;

  document.addEventListener("keydown", (event) => {
    if (at("trial").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const isButton = document.activeElement?.tagName === "BUTTON";
    if (event.key === " " && !isButton) {
      event.preventDefault();
      return play();
    }
    const buttons = [...at("answers").children];
    const sides = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "equal" };
    const chosen = study.sides
      ? buttons.find((button) => button.dataset.value === sides[event.key])
      : buttons[Number(event.key) - 1];
    if (chosen) {
      event.preventDefault();
      answer(chosen.dataset.value);
    }
  });

  start();
})();
