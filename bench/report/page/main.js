// Puts the page together: tabs, players, their common settings and the keys.

function prepareGroups() {
  const panels = [...document.querySelectorAll('[data-group-panel]')];
  const buttons = [...document.querySelectorAll('[data-group-button]')];
  document.getElementById('figures').classList.add('tabbed');
  const choose = (chosen) => {
    for (const panel of panels) panel.hidden = panel.dataset.groupPanel !== chosen;
    for (const button of buttons) press(button, button.dataset.groupButton === chosen);
  };
  for (const button of buttons) button.addEventListener('click', () => choose(button.dataset.groupButton));
  if (buttons.length) choose(buttons[0].dataset.groupButton);
}

function preparePlayers() {
  const place = document.getElementById('players');
  const rates = page.clips.length ? page.clips[0].rates : [];
  settings.rate = Math.max(0, Math.min(rates.length - 1, Math.floor(rates.length / 2 - 0.5)));
  // Pictures cost time, so each clip's are made when it comes near the screen.
  const near = new IntersectionObserver((events) => {
    for (const event of events.filter((one) => one.isIntersecting)) {
      near.unobserve(event.target);
      players.find((player) => player.card === event.target).paint();
    }
  }, { rootMargin: '300px' });
  for (const clip of page.clips) {
    const player = new Player(clip);
    players.push(player);
    place.append(player.card);
    near.observe(player.card);
  }
  if (players.length) players[0].makeCurrent();
  else place.append(element('p', { class: 'empty' }, 'This run kept no audio to listen to.'));
  prepareRates(rates);
}

function prepareRates(rates) {
  const buttons = rates.map((group, number) =>
    element('button', { type: 'button', 'aria-pressed': String(number === settings.rate) }, `${group.nominal} kbit/s`));
  document.getElementById('rates').append(...buttons);
  buttons.forEach((button, number) => button.addEventListener('click', () => {
    const states = players.map((player) => player.lift());
    settings.rate = number;
    buttons.forEach((other, place) => press(other, place === number));
    players.forEach((player, place) => {
      if (player.blind !== 'off') player.shuffle();
      player.restore(states[place]);
    });
  }));
}

function repaint() {
  paintScale();
  for (const player of players) if (player.seen) player.paint();
}

function prepareSettings() {
  const overlay = document.getElementById('overlay'), loop = document.getElementById('loop');
  overlay.addEventListener('click', () => {
    settings.overlay = !settings.overlay;
    press(overlay, settings.overlay);
    repaint();
  });
  loop.addEventListener('click', () => {
    for (const player of players) player.setLoop(!settings.loop);
    settings.loop = !settings.loop;
    press(loop, settings.loop);
  });
  const axes = { mel: document.getElementById('axis-mel'), linear: document.getElementById('axis-linear') };
  for (const [axis, button] of Object.entries(axes)) {
    button.addEventListener('click', () => {
      settings.axis = axis;
      for (const [name, other] of Object.entries(axes)) press(other, name === axis);
      repaint();
    });
  }
  prepareChannels();
  darkScheme.addEventListener('change', repaint);
  let settling = 0;
  let width = innerWidth;
  addEventListener('resize', () => {
    if (width === innerWidth) return;
    width = innerWidth;
    clearTimeout(settling);
    settling = setTimeout(repaint, 200);
  });
}

// Which channel the pictures show; only where a clip has two.
function prepareChannels() {
  const group = document.getElementById('channels');
  group.hidden = !players.some((player) => player.clip.channels > 1);
  const buttons = [...group.querySelectorAll('button')];
  for (const button of buttons) {
    button.addEventListener('click', () => {
      settings.channel = button.dataset.channel;
      for (const other of buttons) press(other, other === button);
      repaint();
    });
  }
}

function prepareKeys() {
  const keys = {
    l: () => document.getElementById('loop').click(),
    g: () => document.getElementById('overlay').click(),
    b: () => currentPlayer.nextBlind(),
    ArrowLeft: () => currentPlayer.seek(currentPlayer.position - 1),
    ArrowRight: () => currentPlayer.seek(currentPlayer.position + 1),
  };
  addEventListener('keydown', (event) => {
    if (!currentPlayer || event.ctrlKey || event.altKey || event.metaKey) return;
    const slider = event.target.matches?.('input');
    // Enter presses a source's button; space always means play or pause there, as in every other player.
    const ownSpace = event.target.matches?.('button, summary, a') && !event.target.closest('.panel');
    const scrolls = event.target.matches?.('.scroll');
    if (event.key === ' ' && !ownSpace) currentPlayer.toggle();
    else if (/^[1-9]$/.test(event.key)) currentPlayer.choose(Number(event.key) - 1);
    else if (event.key.startsWith('Arrow') && (slider || scrolls)) return;
    else if (Object.hasOwn(keys, event.key)) keys[event.key]();
    else return;
    event.preventDefault();
  });
  // A button acts on the release of the space bar, which has already meant play or pause.
  addEventListener('keyup', (event) => {
    if (event.key === ' ' && event.target.closest?.('.panel')) event.preventDefault();
  });
}

prepareGroups();
prepareCurves();
preparePlayers();
prepareSettings();
prepareKeys();
paintScale();
// What runs here can be looked at from the console.
globalThis.audioGs = { players, settings, outputContext };
