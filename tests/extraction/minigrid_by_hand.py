"""MiniGrid's rules by hand: a level's grid is read once, and states are plain tuples from then on.

A state is where the agent is and looks, what it carries, where each thing that can be carried lies (None for the hand),
and how each door is. The reward at the end is the level's own business: `steps` counts steps to success.
"""

from collections import deque

WAYS = [(1, 0), (0, 1), (-1, 0), (0, -1)]
LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE, DONE = range(7)


class Level:
    """A level as it is after a reset."""

    def __init__(self, env, seed):
        env = env.unwrapped
        env.reset(seed=seed)
        self.walls, self.goals, self.lava = set(), set(), set()
        self.door_at, self.door_colours, doors = {}, [], []
        self.things, places = [], []
        for x in range(env.width):
            for y in range(env.height):
                cell = env.grid.get(x, y)
                if cell is None:
                    continue
                if cell.type == "wall":
                    self.walls.add((x, y))
                elif cell.type == "goal":
                    self.goals.add((x, y))
                elif cell.type == "lava":
                    self.lava.add((x, y))
                elif cell.type == "door":
                    self.door_at[x, y] = len(doors)
                    self.door_colours.append(cell.color)
                    doors.append("open" if cell.is_open else "locked" if cell.is_locked else "closed")
                elif cell.type in ("key", "ball", "box"):
                    self.things.append((cell.type, cell.color))
                    places.append((x, y))
                else:
                    raise AssertionError(f"a {cell.type} is not known here")
        target = getattr(env, "obj", None)  # of KeyCorridor: picking it up is success
        self.target = None if target is None else (target.type, target.color)
        at = (int(env.agent_pos[0]), int(env.agent_pos[1]))
        self.start = (at, int(env.agent_dir), None, tuple(places), tuple(doors))

    def step(self, state, action):
        """The next state, and "success", "failure" or None."""
        at, way, held, places, doors = state
        ahead = (at[0] + WAYS[way][0], at[1] + WAYS[way][1])
        door = self.door_at.get(ahead)
        thing = places.index(ahead) if ahead in places else None
        if action in (LEFT, RIGHT):
            return (at, (way + (1 if action == RIGHT else -1)) % 4, held, places, doors), None
        if action == FORWARD:
            if ahead in self.walls or thing is not None or (door is not None and doors[door] != "open"):
                return state, None
            moved = (ahead, way, held, places, doors)
            return moved, "success" if ahead in self.goals else "failure" if ahead in self.lava else None
        if action == PICK_UP and thing is not None and held is None:
            places = (*places[:thing], None, *places[thing + 1 :])
            return (at, way, thing, places, doors), "success" if self.things[thing] == self.target else None
        if action == DROP and held is not None:
            free = thing is None and door is None and ahead not in self.walls | self.goals | self.lava
            if free:
                return (at, way, None, (*places[:held], ahead, *places[held + 1 :]), doors), None
        if action == TOGGLE and door is not None:
            now = doors[door]
            if now == "locked" and (held is None or self.things[held] != ("key", self.door_colours[door])):
                return state, None
            now = "closed" if now == "open" else "open"
            return (at, way, held, places, (*doors[:door], now, *doors[door + 1 :])), None
        return state, None

    def search(self, *, touched=False):
        """All states in which an episode can go on, and the fewest steps to success.

        With `touched`, a state also has which things were ever picked up: MiniGrid keeps the place of a thing as a
        tuple before, and as an array afterwards.
        """
        first = (self.start, frozenset())
        far, fewest = {first: 0}, None
        waiting = deque([first])
        while waiting:
            here = waiting.popleft()
            for action in range(7):
                after, end = self.step(here[0], action)
                held = after[2]
                there = (after, here[1] | {held} if touched and held is not None else here[1])
                if end == "success" and fewest is None:
                    fewest = far[here] + 1
                if end is None and there not in far:
                    far[there] = far[here] + 1
                    waiting.append(there)
        return set(far), fewest
